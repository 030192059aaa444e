"""FaceMesh points of every media clip (first 300 frames), all faces: the reference the nets are measured against."""
import cv2,glob,os,numpy as np,mediapipe as mp
for f in sorted(glob.glob('/work/shared/media/*')):
    n=os.path.basename(f); out=f'/opt/lab/face/media/{n}.npz'
    if os.path.exists(out): continue
    fm=mp.solutions.face_mesh.FaceMesh(static_image_mode=False,max_num_faces=2,refine_landmarks=True,min_detection_confidence=.5)
    v=cv2.VideoCapture(f); P=[];I=[];k=0; step=4 if 'iot_person' in n else 1
    while k<300*step:
        if not v.grab(): break
        if k%step==0:
            o,im=v.retrieve()
            if not o: break
            h,w=im.shape[:2]; s=min(1,1280/max(h,w)); sm=cv2.resize(im,None,fx=s,fy=s,interpolation=cv2.INTER_AREA) if s<1 else im
            r=fm.process(cv2.cvtColor(sm,cv2.COLOR_BGR2RGB))
            for l in (r.multi_face_landmarks or []): P.append(np.array([(p.x*w,p.y*h,p.z*w) for p in l.landmark],np.float32)); I.append(k)
        k+=1
    np.savez(out,points=np.array(P,np.float32).reshape(-1,478,3),frame=np.array(I),frames=k,step=step,size=(w,h)); print(n,k,len(P),flush=True)
